"""What one server does for many visitors at once: open models, encoded images, and turns."""
