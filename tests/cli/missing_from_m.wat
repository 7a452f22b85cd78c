;; Wants what the module m does not offer.
(module
  (import "m" "nowhere" (func)))
