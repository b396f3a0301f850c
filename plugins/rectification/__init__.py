"""问题整改: written feedback, rectification, return visits."""
