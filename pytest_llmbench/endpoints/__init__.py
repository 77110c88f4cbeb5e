"""From what a user typed to the endpoints of a run.

    --llm-endpoint -> spec -> resolve -> making -> Endpoint
    models.yaml -> parsing -> tree -> layers -> reading -> shape -> config -> resolve

`resolve` is where to begin. `spec` is the grammar of the command line; `context` is what else decides. `starting` asks
the kind of a server whether it can start what was asked for. `parsing` makes a `tree` that knows its lines, `layers`
lays defaults, variants and axes over each other, `reading` turns that into the records of `shape`, of which `schema`
makes the JSON Schema for editors. `replay` reads recorded answers; `words` splits command lines.
"""
