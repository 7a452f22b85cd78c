(module) ;; what follows is no text
"ÿ" ;; FAIL malformed UTF-8 encoding
