"""Pure rules: labels, flags, scoring, the state machine of sessions. No input or output at all."""
