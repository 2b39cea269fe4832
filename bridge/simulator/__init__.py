"""A stand-in for RD Station CRM: a small sales team that works by itself, both APIs, and the webhooks it posts.

It behaves as the documentation, captured payloads and public clients say of the CRM, with what is bad about it:
duplicates, reordering, five tries of five seconds, suspension, error bodies of every shape. Time is virtual, and the
same seed tells the same life.
"""

from bridge.simulator.clock import VirtualClock
from bridge.simulator.settings import SimulatorSettings
from bridge.simulator.simulator import Simulator
from bridge.simulator.truth import Closing, Truth

__all__ = ["Closing", "Simulator", "SimulatorSettings", "Truth", "VirtualClock"]
