"""What so few answers allow to say: intervals, paired comparisons, and the gate that rests on them. Pure."""
