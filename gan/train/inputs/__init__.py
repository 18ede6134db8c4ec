"""What D sees in a step: real images, their clusters, and the augmentation of all images."""
