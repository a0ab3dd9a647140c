module example.com/frontend

go 1.19

require google.golang.org/api v0.61.0
