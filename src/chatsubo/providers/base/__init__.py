"""What a plugin subclasses."""
