"""``bridge init`` in English."""

from bridge.cli.starter.words import Words

ENGLISH = Words(
    labels="en",
    locale="en-US",
    welcome="A few questions, and your first rules are ready. Enter takes what stands in brackets.\n"
    "Ctrl-C gives up, and nothing is written.",
    only_one="{} (the only one so far)",
    which_source="Which CRM do events come from?",
    which_target="Where do messages go?",
    targets={
        "slack": "Slack, with an app (bot token): can gather the messages of each deal in a thread",
        "slack-webhook": "Slack, with an incoming webhook: one step less, and one channel only",
        "http": "Another service, over HTTP: an ERP, n8n, Make, a program of yours",
        "log": "The screen: needs no account and no password, good to start with",
    },
    number="Number",
    which_moments="What is to be told?",
    numbers='Numbers, separated by commas, or "all"',
    every="all",
    channel="The channel's id, such as C0123ABCD: click the channel's name, at the end of About.\n"
    "Enter leaves it for later, in the variable",
    url="The service's address, such as https://example.com/alerts. If it holds a password,\n"
    "Enter keeps it out of the file, in the variable",
    minimum="Tell only of losses of which amount or more, such as 5,000? With 0, of all",
    timezone="Timezone",
    currency="Currency",
    no_terminal="there is no terminal to ask on: add --yes, and what no option answers gets its default. "
    "The options: --target {targets}; --moment deal.lost, as often as you like; --channel; --url; --minimum; "
    "--timezone; --currency; --locale; --language {languages}",
    no_choice='choose a number from 1 to {}, not "{}"',
    no_moment='there is no moment "{}"',
    no_moments="choose at least one",
    near='; did you mean "{}"?',
    no_amount='write an amount such as 5000, 5,000 or 5,000.00, not "{}"',
    no_channel="write the channel's id, such as C0123ABCD",
    not_here="this looks like a token: it is a password, and goes into the variable SLACK_BOT_TOKEN, not here",
    no_url="write a whole address, such as https://example.com/alerts, without a user name or password",
    no_timezone='there is no timezone "{}"',
    no_currency='there is no currency "{}"; write its code, such as BRL',
    no_locale='there is no locale "{}"; write it like en-US',
    idle_option="{} has no effect here: it goes with {}",
    there_already="{} is there already, and stays as it is. To begin in another folder: bridge init FOLDER; "
    "to write over it: --force",
    head="The rules of bridge: what comes from the CRM, where messages go, and which change becomes which message.\n"
    "`bridge init` wrote this file, and from here on it is yours. Save it, and a running bridge reads it again;\n"
    "if it is broken, you are told where, and the rules before it stay.",
    reference="Every key: docs/reference/rules.md. Recipes: docs/how-to/write-a-rule.md.\n"
    "bridge can tell of trouble with itself, too: docs/how-to/hear-of-trouble.md.",
    about_defaults="How numbers, money and dates are written in messages.",
    about_sources="Where events come from. `crm` is a name of your own, and part of the address to paste into the\n"
    "CRM's webhooks. Without `secrets` bridge makes the password in that address and shows it at the start; to choose\n"
    "it yourself, take away the #.",
    about_targets="Where messages go. The name is yours, and rules say it in `to`. `${NAME}` is the environment\n"
    "variable of that name: passwords stand there, and never in this file.",
    about_log="The screen on which bridge runs. To speak in Slack: docs/targets/slack.md.",
    about_auth="If the service wants a token:",
    about_routes="The rules. Each has:\n"
    "  name     a name of your own, which commands show\n"
    "  on       the change it listens to, such as deal.lost, or a list: [deal.won, deal.lost]. bridge compares each\n"
    "           event with what it knew: to edit a deal that was lost already does not lose it again.\n"
    "           All changes and fields: docs/reference/events.md\n"
    "  match    if there is one, what else must be true\n"
    "  deliver  where the message goes (`to`) and what it says. Between {{ and }} stands what comes from the event: a\n"
    "           field, and after each | a filter that writes it for people: docs/reference/templates.md",
    about_match={
        "deal": "An example of `match`: only 5,000 or more, and only these pipelines. To use it, take away the #.",
        "task": "An example of `match`: only calls and meetings. To use it, take away the #.",
        "contact": "An example of `match`: only this job title. To use it, take away the #.",
        "": "An example of `match`: only if the name contains this. To use it, take away the #.",
    },
    about_minimum="Only this amount or more: `gte` is greater or equal. Other conditions: docs/reference/rules.md",
    about_thread="Without the #, all messages of one deal share a thread:",
    about_body="`body` is sent as JSON, and a number stays a number.",
    target_names={"slack": "sales", "slack-webhook": "sales", "http": "service", "log": "screen"},
    deal="Deal",
    headlines={
        "deal.reopened": "Deal open again",
        "deal.owner_changed": "Deal has another owner",
        "deal.amount_changed": "Deal has another amount",
    },
    about_variables="What routes.yaml expects of the environment. Copy this file to .env, fill it in,\n"
    "and load it in each new terminal before you call bridge:\n"
    "  set -a; . ./.env; set +a\n"
    "(docker compose reads .env by itself.) These are passwords: send .env to nobody, and not to git.",
    variables={
        "token": "The bot token, which begins with xoxb-: https://api.slack.com/apps → your app → OAuth & Permissions",
        "channel": "The channel's id, such as C0123ABCD; invite the app to the channel: /invite @bridge",
        "webhook": "The webhook's address: https://api.slack.com/apps → your app → Incoming Webhooks",
        "url": "The address of the service that gets the messages, such as https://example.com/alerts",
    },
    written="Done:",
    rules=("1 rule", "{} rules"),
    example="the variables to set",
    left="was there already, and stays as it is",
    to_set="The variables, which stand in .env:",
    next="And then:",
    does={
        "copy": "and fill .env in, in an editor",
        "load": "in each new terminal: takes .env over",
        "check": "checks the file",
        "explain": "shows what each rule would do with an example, without sending anything",
        "run": "starts bridge",
        "send": "in another terminal, sends an example as the CRM would",
    },
)
