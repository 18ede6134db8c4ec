"""Push generators to the Hugging Face Hub, and pull generators from it."""
