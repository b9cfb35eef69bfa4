"""Templates: modules that emitted packages carry, as they stand or in part."""
