module minivm/dapr

go 1.21
