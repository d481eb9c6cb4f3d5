// The scripts that the program hands to a Python. They lie in scripts/ and are part of the program,
// so that it needs no file beside it.
#pragma once

#include <string_view>

namespace labelprobe::app {

extern const std::string_view kToParquet;   // scripts/export/to_parquet.py
extern const std::string_view kDrawFigure;  // scripts/figures/draw_figure.py

}  // namespace labelprobe::app
