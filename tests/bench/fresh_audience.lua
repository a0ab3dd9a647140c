-- A new audience for every request, so that no signature can be shared.
local count = 0
request = function()
    count = count + 1
    return wrk.format("GET", wrk.path .. "https://service-" .. count .. ".example.test")
end
