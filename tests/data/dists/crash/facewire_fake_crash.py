raise SystemExit("sneezed")
