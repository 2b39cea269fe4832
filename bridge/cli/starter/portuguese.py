"""``bridge init`` em português."""

from bridge.cli.starter.words import Words

PORTUGUESE = Words(
    labels="pt",
    locale="pt-BR",
    welcome="Algumas perguntas, e as suas primeiras regras ficam prontas. Enter aceita o que está entre colchetes.\n"
    "Ctrl-C desiste, e nada é escrito.",
    only_one="{} (o único, por enquanto)",
    which_source="De qual CRM vêm os eventos?",
    which_target="Para onde vão os avisos?",
    targets={
        "slack": "Slack, com um aplicativo (token de bot): pode reunir os avisos de cada negociação numa conversa",
        "slack-webhook": "Slack, com um webhook de entrada: um passo a menos, e um canal só",
        "http": "Outro serviço, por HTTP: ERP, n8n, Make, um programa seu",
        "log": "A tela: não precisa de conta nem de senha, bom para começar",
    },
    number="Número",
    which_moments="O que avisar?",
    numbers='Números, separados por vírgulas, ou "todos"',
    every="todos",
    channel="ID do canal, como C0123ABCD: clique no nome do canal, no fim de Sobre.\n"
    "Enter deixa para depois, na variável",
    url="Endereço do serviço, como https://exemplo.com.br/avisos. Se ele contém uma senha,\n"
    "Enter o deixa fora do arquivo, na variável",
    minimum="Avisar só das perdas a partir de que valor, como 5.000? Com 0, de todas",
    timezone="Fuso horário",
    currency="Moeda",
    no_terminal="não há terminal onde perguntar: acrescente --yes, e o que nenhuma opção responde fica com o padrão. "
    "As opções: --target {targets}; --moment deal.lost, quantas vezes quiser; --channel; --url; --minimum; "
    "--timezone; --currency; --locale; --language {languages}",
    no_choice='escolha um número de 1 a {}, e não "{}"',
    no_moment='não existe a mudança "{}"',
    no_moments="escolha pelo menos um",
    near='; seria "{}"?',
    no_amount='escreva um valor como 5000, 5.000 ou 5.000,00, e não "{}"',
    no_channel="escreva o ID do canal, como C0123ABCD",
    not_here="isso parece um token: ele é uma senha, e vai na variável SLACK_BOT_TOKEN, e não neste arquivo",
    no_url="escreva um endereço inteiro, como https://exemplo.com.br/avisos, sem usuário e sem senha",
    no_timezone='não existe o fuso horário "{}"',
    no_currency='não existe a moeda "{}"; escreva o código, como BRL',
    no_locale='não existe a localidade "{}"; escreva como pt-BR',
    idle_option="{} não tem efeito aqui: só serve com {}",
    there_already="{} já existe, e ficou como está. Para começar em outra pasta: bridge init PASTA; "
    "para escrever por cima: --force",
    head="As regras do bridge: o que chega do CRM, para onde vão os avisos, e qual mudança vira qual aviso.\n"
    "O `bridge init` escreveu este arquivo, e daqui em diante ele é seu. Salve-o, e o bridge o relê sozinho;\n"
    "se houver um erro, ele diz onde está e continua com as regras anteriores.",
    reference="Todas as chaves: docs/reference/rules.md. Receitas: docs/how-to/write-a-rule.md.\n"
    "Quando o próprio bridge tem problemas, ele também avisa: docs/how-to/hear-of-trouble.md.",
    about_defaults="Como escrever números, dinheiro e datas nos avisos.",
    about_sources="De onde vêm os eventos. `crm` é um nome seu, e faz parte do endereço que se cola nos webhooks\n"
    "do CRM. Sem `secrets`, o bridge cria a senha desse endereço e o mostra ao iniciar; para usar uma sua, tire o #.",
    about_targets="Para onde vão os avisos. O nome é seu, e as regras o dizem em `to`. `${NOME}` é a variável de\n"
    "ambiente desse nome: é nela que ficam as senhas, e nunca neste arquivo.",
    about_log="A tela de onde o bridge roda. Para falar no Slack: docs/targets/slack.md.",
    about_auth="Se o serviço pede um token:",
    about_routes="As regras. Cada uma tem:\n"
    "  name     um nome seu, que aparece nos comandos\n"
    "  on       a mudança que ela escuta, como deal.lost, ou uma lista: [deal.won, deal.lost]. O bridge compara cada\n"
    "           evento com o que já sabia: editar uma negociação que já estava perdida não a perde de novo.\n"
    "           As mudanças e os campos: docs/reference/events.md\n"
    "  match    se houver, o que mais tem de ser verdade\n"
    "  deliver  para onde vai o aviso (`to`) e o que ele diz. Entre {{ e }} está o que vem do evento: um campo, e\n"
    "           depois de cada | um filtro que o escreve para pessoas: docs/reference/templates.md",
    about_match={
        "deal": "Um exemplo de `match`: só a partir de R$ 5.000, e só destes funis. Para usar, tire o # das linhas.",
        "task": "Um exemplo de `match`: só ligações e reuniões. Para usar, tire o # das linhas.",
        "contact": "Um exemplo de `match`: só com este cargo. Para usar, tire o # das linhas.",
        "": "Um exemplo de `match`: só se o nome contém isto. Para usar, tire o # das linhas.",
    },
    about_minimum="Só a partir deste valor; `gte` é maior ou igual. Outras condições: docs/reference/rules.md",
    about_thread="Sem o #, todos os avisos da mesma negociação ficam numa conversa:",
    about_body="`body` vai como JSON, e um número continua um número.",
    target_names={"slack": "vendas", "slack-webhook": "vendas", "http": "servico", "log": "tela"},
    deal="Negociação",
    headlines={"deal.reopened": "Negociação retomada", "deal.amount_changed": "Negociação mudou de valor"},
    about_variables="O que routes.yaml espera do ambiente. Copie este arquivo para .env, preencha, e carregue-o\n"
    "em cada terminal novo, antes dos comandos do bridge:\n"
    "  set -a; . ./.env; set +a\n"
    "(O docker compose lê .env sozinho.) São senhas: não mande o .env por e-mail, nem para o git.",
    variables={
        "token": "O token do bot, que começa com xoxb-: https://api.slack.com/apps → seu app → OAuth & Permissions",
        "channel": "O ID do canal, como C0123ABCD; convide o app para o canal: /invite @bridge",
        "webhook": "O endereço do webhook: https://api.slack.com/apps → seu app → Incoming Webhooks",
        "url": "O endereço do serviço que recebe os avisos, como https://exemplo.com.br/avisos",
    },
    written="Pronto:",
    rules=("1 regra", "{} regras"),
    example="as variáveis a definir",
    left="já existia, e ficou como está",
    to_set="As variáveis, que ficam em .env:",
    next="E então:",
    does={
        "copy": "e preencha .env num editor",
        "load": "em cada terminal novo: carrega o .env",
        "check": "confere o arquivo",
        "explain": "mostra o que cada regra faria com um exemplo, sem enviar nada",
        "run": "inicia o bridge",
        "send": "em outro terminal, envia um exemplo como o CRM enviaria",
    },
)
