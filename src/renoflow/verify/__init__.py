"""Holding what runs against what is plain: the compiled plan against the machine of the same file."""
