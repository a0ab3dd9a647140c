-- Every request carries another token of the file that is named on the command line, in turns.
local requests, count, at = {}, 0, 0

function init(args)
    for token in io.lines(args[1]) do
        count = count + 1
        requests[count] = wrk.format("GET", nil, {Authorization = "Bearer " .. token})
    end
end

function request()
    at = at % count + 1
    return requests[at]
end
