"""Operators that do not exist, over real HTTP.

Written from the operators' documents and from nothing of ours, so that a word misread by a connector is not
misread the same way by its judge.
"""

from cauri.simulator.app import simulator

__all__ = ["simulator"]
