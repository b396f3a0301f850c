"""四查三比对: compare lists of children, follow up what does not agree, explain head-counts."""
