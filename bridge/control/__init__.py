"""What people ask of a running daemon, and the socket they ask it through."""
