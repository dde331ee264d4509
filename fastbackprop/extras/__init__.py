"""What needs an optional dependency. Each module is imported when it is asked for, and names its extra if that is missing."""
