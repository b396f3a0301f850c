"""Find, check, import and serve plugins, each stage guarded, so that one never stops the rest."""
