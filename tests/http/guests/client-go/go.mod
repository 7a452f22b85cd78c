module client

go 1.21

require minivm/dapr v0.0.0

replace minivm/dapr => ../../../../dapr/clients/go
