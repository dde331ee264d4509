"""What needs an optional dependency. Each module is imported when it is used, and names its extra if that is missing."""
