// Draws an image's three middle planes and the time course of a voxel of a series:
//
//     gallery IMAGE SERIES PICTURE.png | gnuplot
//
// Prints gnuplot's commands with the data in them. Only what is drawn is read.
#include <arrayproxy.hpp>

#include <cmath>
#include <iostream>
#include <stdexcept>

namespace ap = arrayproxy;

namespace {

// The axis of the array that runs most along an axis of the world: 0 right, 1 front, 2 up.
std::size_t axis_along(const ap::Affine &affine, std::size_t world)
{
    std::size_t best = 0;
    for (std::size_t axis = 1; axis < 3; axis++)
        if (std::abs(affine[world][axis]) > std::abs(affine[world][best]))
            best = axis;
    return best;
}

// The middle plane that two axes of the world span, in mm.
void print_plane(const ap::Proxy &image, std::size_t across, std::size_t up, const char *title)
{
    const ap::Affine affine = image.affine();
    const ap::Shape shape = image.shape();
    if (shape.size() < 3)
        throw std::runtime_error("an image has three axes, this one " +
                                 std::to_string(shape.size()));
    const std::size_t x = axis_along(affine, across), y = axis_along(affine, up);
    std::vector<ap_slice> index;
    for (std::size_t axis = 0; axis < shape.size(); axis++)
        index.push_back(axis == x || axis == y ? ap::all : ap::at(axis < 3 ? shape[axis] / 2 : 0));
    const ap::Nd<float> plane = image.read<float>(ap::Index(index));

    std::cout << "$plane << END\n";
    for (std::int64_t j = 0; j < shape[y]; j++) {
        for (std::int64_t i = 0; i < shape[x]; i++)
            std::cout << (x < y ? plane(i, j) : plane(j, i)) << " ";
        std::cout << "\n";
    }
    const auto middle = [&](std::size_t world) { // of the axes that run another way
        double sum = affine[world][3];
        for (std::size_t axis = 0; axis < 3; axis++)
            if (axis != axis_along(affine, world))
                sum += affine[world][axis] * static_cast<double>(shape[axis] / 2);
        return sum;
    };
    std::cout << "END\nset title '" << title << "'\nplot $plane using ("
              << middle(across) << " + $1 * " << affine[across][x] << "):(" << middle(up)
              << " + $2 * " << affine[up][y] << "):3 matrix with image\n";
}

// The voxel in the middle, all volumes.
void print_course(const ap::Proxy &series)
{
    const ap::Shape shape = series.shape();
    if (shape.size() < 4)
        throw std::runtime_error("a series has four axes, this one " +
                                 std::to_string(shape.size()));
    const double step = series.zooms().at(3);
    const ap::Nd<double> course = series.read<double>(shape[0] / 2, shape[1] / 2, shape[2] / 2);
    std::cout << "$course << END\n";
    double time = 0;
    for (const double value : course) {
        std::cout << time << " " << value << "\n";
        time += step;
    }
    std::cout << "END\nset xlabel 'time in " << series.field_text("time_unit")
              << "'\nplot $course with linespoints pointtype 7 pointsize 0.6 linecolor '#2060a0'\n";
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " IMAGE SERIES PICTURE.png | gnuplot\n";
        return 2;
    }
    try {
        const ap::Proxy image = ap::open(argv[1]), series = ap::open(argv[2]);
        std::cout << "set terminal pngcairo size 900,560 font 'sans,10'\nset output '" << argv[3]
                  << "'\nset multiplot\nset palette gray\nunset colorbox\nunset key\n"
                     "set size ratio -1 0.333,0.6\nset tics out nomirror\n"
                     "set autoscale xfix\nset autoscale yfix\n"
                     "set xtics 50\nset ytics 50\nset xlabel 'mm'\n";
        std::cout << "set origin 0,0.4\n";
        print_plane(image, 1, 2, "front to the right");
        std::cout << "set origin 0.333,0.4\n";
        print_plane(image, 0, 2, "from behind");
        std::cout << "set origin 0.666,0.4\n";
        print_plane(image, 0, 1, "from above");
        std::cout << "set origin 0,0\nset size noratio 1,0.4\nset autoscale\n"
                     "set xtics autofreq\nset ytics autofreq\n"
                     "set title 'one voxel'\n";
        print_course(series);
    } catch (const std::exception &e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
    return 0;
}
