# Draws three middle planes of an image and the time course of a series' middle voxel.
#
#     julia gallery.jl IMAGE SERIES PICTURE

using ArrayProxies

function draw(picture, image, series)
    middle = map(n -> n ÷ 2, size(image))
    x, y, z = middle
    planes = image[x, :, :], image[:, y, :], image[:, :, z]
    voxel = map(n -> n ÷ 2, size(series)[1:3])
    course = series[voxel..., :]
    open(`gnuplot`, "w") do plot
        println(plot, """
            set terminal pngcairo size 1000,260 font 'sans,9'
            set output '$picture'
            set multiplot layout 1,4
            set palette gray; unset colorbox; unset key
            unset tics; unset border; set size ratio -1""")
        for (name, at, plane) in zip("xyz", middle, planes)
            println(plot, "set title '$name = $at'\nplot '-' matrix with image")
            foreach(row -> println(plot, join(row, ' ')), eachcol(plane))
            println(plot, "e")
        end
        println(plot, """
            set tics; set border 3; set size noratio; set xtics nomirror 5; set ytics nomirror
            set title 'voxel $voxel'; set xlabel 'volume'
            plot '-' with linespoints pt 7 ps 0.5 lc rgb '#2a78b5'""")
        foreach(value -> println(plot, value), course)
        println(plot, "e")
    end
end

draw(ARGS[3], ArrayProxy(ARGS[1]), ArrayProxy(ARGS[2]))
