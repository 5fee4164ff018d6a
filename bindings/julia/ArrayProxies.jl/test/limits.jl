resident() = parse(Int, split(read("/proc/self/statm", String))[2]) * 4096

function opened_and_dropped(n)
    total = 0.0
    for i in 1:n
        A = ArrayProxy(SCALED)
        total += A[1, 1, 1, 1]
        i % 2 == 0 && close(A)
        # Where there are many the collector is late: it does not know what they hold.
        i % 2000 == 0 && GC.gc()
    end
    return total
end

@testset "100,000 proxies leave nothing behind" begin
    opened_and_dropped(20_000) # as many as wait for the collector
    before = resident()
    opened_and_dropped(100_000)
    @test resident() - before < 16 << 20
end

@testset "many threads" begin
    A = ArrayProxy(SCALED)
    B = Array(A)
    right = fill(false, 400)
    Threads.@threads for i in 1:400
        t = 1 + i % 4
        right[i] = A[:, :, :, t] == B[:, :, :, t] && A[3, 2, 1, t] == B[3, 2, 1, t]
    end
    @test all(right) && Threads.nthreads() > 1
end
