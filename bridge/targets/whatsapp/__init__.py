"""whatsapp: approved templates, and texts within the 24 hours that a customer's message opens."""

from bridge.targets.whatsapp.options import WhatsappAction, WhatsappOptions
from bridge.targets.whatsapp.target import Whatsapp

__all__ = ["Whatsapp", "WhatsappAction", "WhatsappOptions"]
