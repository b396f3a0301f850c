"""Keep the home teaching 送教上门 of severely disabled children, and judge it."""
