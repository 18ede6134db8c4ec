"""Carry runs from one machine to another: as one file, or through a mirror on the Hugging Face Hub."""
