"""The secure browser (MSB): its key, hand-shake, heartbeat and attestations."""
