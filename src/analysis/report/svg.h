// The parts that plots are written with, as SVG.
#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>
#include <string>

namespace labelprobe::analysis {

// Okabe and Ito's colors, which people with any color vision tell apart.
inline constexpr std::array kColors = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                       "#E69F00", "#56B4E9", "#000000", "#8A6D00"};

std::string pixel(double number);

// Beginning and end of a text that is too long for its place: of paths the end tells most.
std::string shortened(const std::string& text, std::size_t n_most);

// From the opening tag to the title and the line below it.
void begin_svg(std::ostream& out,
               double width,
               double height,
               double left,
               const std::string& title,
               const std::string& subtitle);

void write_text(std::ostream& out,
                double x,
                double y,
                const std::string& text,
                const std::string& attributes = "");

void write_line(std::ostream& out, double x1, double y1, double x2, double y2, const char* look);

}  // namespace labelprobe::analysis
