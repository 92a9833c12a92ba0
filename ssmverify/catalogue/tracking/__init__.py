"""The TC0 state-tracking suite: one file a part of it."""
