"""What the programs that time share: clocks and intervals, nets, goals, and what the machine is and can do."""
