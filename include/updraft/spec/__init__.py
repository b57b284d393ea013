"""The frozen use-case model: what a team declares in `spec.yaml`, read and checked."""
