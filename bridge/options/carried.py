"""What people write who come from other tools, or who think in Portuguese, and which of our words each may mean."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

_SAID: Final[Mapping[str, str]] = {
    # sections of the file
    "version": "versao",
    "include": "import imports incluir",
    "defaults": "global settings padrao padroes",
    "sources": "source inputs webhooks fonte fontes origem origens entradas",
    "targets": "target destinations receivers outputs channels sinks services destino destinos alvo alvos saidas",
    "windows": "time_intervals janela janelas horarios",
    "routes": "rule rules workflows regra regras rota rotas",
    "tests": "teste testes",
    "timezone": "tz time_zone fuso fuso_horario",
    "locale": "language lang idioma lingua",
    "currency": "moeda",
    "type": "kind tipo",
    # routes
    "on": "trigger triggers event events gatilho evento eventos quando em",
    "match": "if where filter filters condition conditions criteria se filtro filtros condicao condicoes",
    "when": "expression expr formula quando",
    "deliver": "action actions then do send notify acao acoes entrega entregas entregar enviar avisar entao",
    "debounce": "wait for espera",
    "digest": "schedule group resumo agrupar",
    "at": "time every hora horario",
    "cron": "schedule every",
    "by": "group_by agrupar_por por",
    "empty": "vazio",
    "days": "dias weekdays",
    "holidays": "feriados",
    "mon": "monday seg segunda segunda_feira",
    "tue": "tuesday ter terca terca_feira",
    "wed": "wednesday qua quarta quarta_feira",
    "thu": "thursday qui quinta quinta_feira",
    "fri": "friday sex sexta sexta_feira",
    "sat": "saturday sab sabado",
    "sun": "sunday dom domingo",
    # deliver entries
    "to": "target destination receiver sink para destino alvo until end ate fim",
    "text": "message msg body content texto mensagem corpo",
    "subject": "title titulo assunto",
    "summary": "title titulo name nome",
    "name": "nome title titulo id",
    "template": "template_file file modelo arquivo",
    "template_name": "template modelo",
    "recipients": "recipient emails email to_addresses destinatario destinatarios para",
    "recipient": "phone number telefone numero destinatario",
    "channel": "canal",
    "thread": "conversa topico",
    "mention": "mencao mencionar",
    "key": "dedup_key dedupe_key chave",
    "delay": "wait after espera esperar atraso",
    "within": "window hours days janela horario dentro_de",
    "unless": "except cancel_if exceto a_menos_que",
    "once": "unique uma_vez",
    "repeat_after": "throttle cooldown repeat_interval repetir_apos",
    "retry": "retries tentativas",
    "body": "payload json data corpo dados",
    "list": "column lista coluna",
    "desc": "description descricao",
    "notes": "description descricao",
    "labels": "tags etiquetas",
    "members": "assignees membros responsaveis",
    "assignee": "owner responsavel",
    "due": "deadline due_date prazo vencimento",
    "start": "inicio",
    # targets and sources
    "token": "api_token bot_token access_token",
    "webhook_url": "url webhook",
    "workflow_url": "url webhook webhook_url",
    "url": "endpoint address endereco",
    "host": "server smtp servidor",
    "username": "user login usuario",
    "password": "senha",
    "directory": "path folder dir pasta",
    "board": "quadro",
    "calendar": "agenda calendario",
    "chat": "chat_id channel canal",
    "rdstation_crm": "rd rdstation rd_station crm",
    "http": "webhook rest api",
    "email": "smtp mail gmail",
    "google_sheets": "sheets spreadsheet planilha",
    "google_calendar": "gcal agenda",
    "microsoft_calendar": "outlook office365",
    "teams": "msteams microsoft_teams",
    "database": "sql postgres postgresql mysql sqlite banco",
    "log": "console stdout print screen tela",
    # operators
    "gt": "> greater_than more_than after maior maior_que acima acima_de depois depois_de",
    "gte": ">= => greater_or_equal at_least min minimum maior_ou_igual minimo a_partir_de",
    "lt": "< less_than before menor menor_que abaixo abaixo_de antes antes_de",
    "lte": "<= =< less_or_equal at_most max maximum menor_ou_igual maximo",
    "eq": "= == equal equals is igual igual_a",
    "ne": "!= <> not not_equal is_not diferente diferente_de",
    "in": "one_of any_of um_de",
    "not_in": "none_of nao_em fora_de",
    "contains": "includes contem inclui",
    "starts_with": "startswith begins_with prefix comeca_com",
    "ends_with": "endswith suffix termina_com",
    "matches": "regex regexp pattern like",
    "exists": "present defined not_empty existe preenchido",
    "any": "or ou",
    "all": "and e",
    "not": "nao",
    "changed": "changes mudou alterado",
    "increased": "aumentou subiu",
    "decreased": "diminuiu caiu",
    "from": "was de",
    # triggers and states
    "deal.lost": "perdido perdida deal.perdido deal.perdida negocio_perdido negociacao_perdida",
    "deal.won": "ganho ganha deal.ganho deal.ganha negocio_ganho negociacao_ganha",
    "deal.created": "deal.new novo_negocio nova_negociacao negocio_criado negociacao_criada",
    "deal.stage_changed": "deal.moved mudou_de_etapa mudanca_de_etapa",
    "lost": "perdido perdida",
    "won": "ganho ganha vendido vendida",
    "ongoing": "open em_andamento aberto aberta",
    "paused": "pausado pausada",
    # tests
    "steps": "passos etapas",
    "send": "enviar evento event trigger",
    "expect": "esperar esperado espera",
    "wait": "esperar aguardar",
    "nothing": "nada none nenhum nenhuma",
    # names, fields, filters and tags of templates
    "deal": "opportunity lead negocio negociacao oportunidade",
    "contact": "contato",
    "organization": "company empresa organizacao",
    "task": "tarefa",
    "now": "today hoje agora",
    "items": "itens",
    "previous": "old before anterior",
    "custom": "custom_fields campos campos_personalizados",
    "amount_total": "amount value total price valor valor_total preco",
    "deal_stage": "stage etapa fase",
    "deal_pipeline": "pipeline funil",
    "deal_lost_reason": "lost_reason reason motivo motivo_da_perda",
    "deal_source": "source fonte origem",
    "user": "owner responsavel dono vendedor",
    "rating": "qualificacao",
    "status": "state situacao estado",
    "money": "currency dinheiro moeda reais brl",
    "date": "strftime format_date data",
    "number": "numero",
    "phone": "telefone",
    "if": "se",
    "else": "senao",
    "endif": "end fim",
    "endfor": "end fim",
}
"""Our words, each with those that are said for it."""


def _meant() -> Mapping[str, tuple[str, ...]]:
    meant: defaultdict[str, list[str]] = defaultdict(list)
    for ours, said in _SAID.items():
        for word in said.split():
            meant[word].append(ours)
    return {word: tuple(ours) for word, ours in meant.items()}


_MEANT: Final = _meant()


def meanings(word: str) -> tuple[str, ...]:
    """Return our words that another may mean, the likeliest first; accents and case do not count."""
    letters = unicodedata.normalize("NFKD", word.strip().lower())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _MEANT.get(plain.replace(" ", "_").replace("-", "_"), ())
