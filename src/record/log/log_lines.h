// Where the experiments of a log file and their entries begin and end, seen from the lines alone,
// so that only what is wanted is parsed, piece by piece.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace labelprobe::record {

// Some lines of a file.
struct Lines {
  std::string_view text;
  std::size_t first_line = 0;  // in the file, from 0
};

// A top-level entry: only the wanted experiment is parsed, however many stand before it.
struct Block {
  int index = 0;
  Lines lines;
};

// The experiments of the file, in its order.
std::vector<Block> find_blocks(std::string_view text);

// The entries of a block whose lines show where each begins, as all writers of logs lay them out;
// else all lines as one.
std::vector<Lines> find_entries(const Lines& block);

}  // namespace labelprobe::record
