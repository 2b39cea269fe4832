"""The commands below ``bridge crm``: what people do by the CRM's own API."""
