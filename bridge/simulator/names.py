"""The words that the simulated team lives in: Brazilian people, companies and wares, none of them real."""

from typing import Final

FIRST_NAMES: Final = (
    *("Ana", "Beatriz", "Bruno", "Camila", "Carlos", "Daniela", "Diego", "Eduardo", "Fernanda", "Gabriel"),
    *("Helena", "Igor", "Joana", "João", "Larissa", "Letícia", "Luana", "Lucas", "Marcelo", "Mariana"),
    *("Mateus", "Natália", "Otávio", "Paula", "Pedro", "Rafael", "Renata", "Sofia", "Thiago", "Vinícius"),
)
LAST_NAMES: Final = (
    *("Almeida", "Araújo", "Barbosa", "Cardoso", "Carvalho", "Castro", "Duarte", "Ferreira", "Freitas", "Gonçalves"),
    *("Lima", "Lopes", "Martins", "Medeiros", "Melo", "Moraes", "Nogueira", "Oliveira", "Pereira", "Queiroz"),
    *("Ramos", "Ribeiro", "Rocha", "Santana", "Silveira", "Souza", "Tavares", "Teixeira", "Vasconcelos", "Xavier"),
)
TRADES: Final = (
    *("Padaria", "Clínica", "Oficina", "Escola", "Academia", "Farmácia", "Livraria", "Construtora", "Transportadora"),
    *("Confeitaria", "Imobiliária", "Mercearia", "Papelaria", "Gráfica", "Pousada", "Ótica", "Floricultura"),
)
MARKS: Final = (
    *("Estrela", "Aurora", "Horizonte", "Primavera", "do Vale", "Central", "Ipê", "Serra Azul", "Boa Vista"),
    *("Litoral", "Jacarandá", "Três Rios", "Nova Era", "Sol Nascente", "Pinheiro", "Cruzeiro", "Ponte Alta"),
)
STREETS: Final = ("Rua das Flores", "Avenida Brasil", "Rua da Praia", "Rua Quinze de Novembro", "Travessa do Porto")
CITIES: Final = ("Florianópolis", "São Paulo", "Recife", "Belo Horizonte", "Curitiba", "Salvador", "Goiânia")
JOB_TITLES: Final = ("Gerente administrativo", "Gerente de compras", "Diretora comercial", "Sócio", "Analista")
PIPELINES: Final = (
    ("Funil Padrão", ("Sem contato", "Contato feito", "Proposta enviada", "Negociação", "Fechamento")),
    ("Parcerias", ("Indicado", "Reunião marcada", "Proposta enviada", "Contrato em revisão")),
)
WARES: Final = (
    ("Plano anual", "Licença por doze meses", 4800.0, "spare"),
    ("Plano mensal", "Licença por um mês, renovada", 450.0, "monthly"),
    ("Implantação", "Instalação e primeiros passos com a equipe", 2600.5, "spare"),
    ("Treinamento", "Oito horas, em dois dias", 1290.0, "spare"),
    ("Suporte dedicado", "Atendimento no mesmo dia", 320.9, "monthly"),
    ("Consultoria", "Diagnóstico do processo de vendas", 7350.0, "spare"),
)
LOST_REASONS: Final = (
    *("Preço acima do orçamento", "Prazo de entrega", "Escolheu um concorrente", "Sem retorno", "Demorou demais"),
    *("Projeto adiado", "Falta de um recurso"),
)
SOURCES: Final = ("Indicação", "Instagram", "Busca orgânica", "Evento", "Redes Sociais", "Prospecção ativa", "Site")
CAMPAIGNS: Final = (
    *("Páscoa", "Volta às aulas", "Dia das Mães", "Festa Junina", "Semana do Cliente", "Black Friday", "Natal"),
    *("Verão", "Aniversário da loja", "Feira do Empreendedor"),
)
SEGMENTS: Final = ("Alimentação", "Saúde", "Educação", "Serviços", "Comércio")
ERRANDS: Final = (
    ("call", "Fazer ligação", "Confirmar o interesse e o prazo"),
    ("email", "Entrar em contato", "Enviar a proposta revisada"),
    ("meeting", "Reunião de apresentação", "Agendar reunião de apresentação do orçamento"),
    ("task", "Preparar o orçamento", "Levantar os itens e os descontos"),
    ("visit", "Visitar o cliente", "Conhecer a operação"),
    ("lunch", "Almoço com a diretoria", "Alinhar o contrato"),
    ("whatsapp", "Mandar mensagem", "Perguntar se a proposta chegou"),
)
FIELDS: Final = (
    ("deal", "Whatsapp", "text", ()),
    ("deal", "Segmento", "option", ("Selecione", "Varejo", "Indústria", "Serviços", "Interno")),
    ("deal", "Unidade", "multiple_choice", ("Florianópolis", "São Paulo")),
    ("contact", "Setor", "text", ()),
    ("contact", "Melhor horário", "option", ("Manhã", "Tarde")),
    ("organization", "CNPJ", "text", ()),
    ("organization", "Canais", "multiple_choice", ("Loja", "Site", "Revenda")),
)
"""What the fields are of, their labels, types and options."""
