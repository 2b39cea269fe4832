"""The CRM's own API, v1 and v2: names that webhooks leave out, the registered webhooks, and what changed meanwhile.

Facts of both: https://developers.rdstation.com/reference (CRM v1 and v2), and what public clients of them do.
"""
