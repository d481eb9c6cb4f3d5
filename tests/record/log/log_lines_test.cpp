#include "record/log/log_lines.h"

#include <string>

#include "labelprobe/files/mapped_file.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

std::size_t count_entries(const std::string& log) {
  const std::vector<Block> blocks = find_blocks(log);
  REQUIRE(blocks.size() == 1);
  return find_entries(blocks[0].lines).size();
}

TEST_CASE("Each entry of a log is a piece of its own", "[log_lines]") {
  for (const char* name : {"record/published_log.yml", "record/version_1/indexed_metrics.yml",
                           "align/logs/GoEmotions/fit/binary/tiny--model_0/indexed_metrics.yml"}) {
    INFO(name);
    const files::MappedFile file(support::fixture(name));
    const std::vector<Block> blocks = find_blocks(file.text());
    REQUIRE(blocks.size() == 1);
    const std::vector<Lines> entries = find_entries(blocks[0].lines);
    CHECK(entries.size() > 2);
    // Nothing is lost between them.
    std::size_t n_bytes = 0;
    for (const Lines& entry : entries) n_bytes += entry.text.size();
    const std::string_view text = blocks[0].lines.text;
    CHECK(n_bytes == text.size() - text.find('\n') - 1);
    CHECK(entries.front().first_line == blocks[0].lines.first_line + 1);
  }
}

TEST_CASE("What the lines do not show is one piece", "[log_lines]") {
  CHECK(count_entries("experiment_0:\n  a: 1\n  b:\n  - x\n") == 1);
  CHECK(count_entries("experiment_0:\n  a: &x 1\n  b: *x\n") == 1);
  CHECK(count_entries("experiment_0: {a: 1,\n  b: 2}\n") == 1);
  CHECK(count_entries("experiment_0:\n  - a\n  - b\n") == 1);
  CHECK(count_entries("experiment_0:\n   a: 1\n b: 2\n") == 1);
  CHECK(count_entries("experiment_0:\n  a: 1\n  ? b\n  : 2\n  c: 3\n") == 3);
}

}  // namespace
}  // namespace labelprobe::record
