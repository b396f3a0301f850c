"""Follow what a record may become next: state tables, and the steps that they allow."""
