"""What strangers may do to a server, done to it: an attacker's walk, and readers fed with damage."""
