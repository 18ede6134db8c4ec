"""Train runs in Jobs of the Hugging Face Hub, and follow them through the mirror."""
