module drachtio-conformance-app

go 1.19
