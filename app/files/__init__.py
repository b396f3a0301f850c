"""Evidence store: files under the hash of their content, in sets that records own."""

from __future__ import annotations
