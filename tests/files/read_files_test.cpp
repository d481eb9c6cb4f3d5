#include "labelprobe/files/read_files.h"

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

using Paths = std::vector<std::filesystem::path>;

TEST_CASE("Lists what is read while it lives, each file once", "[read_files]") {
  const auto log = support::fixture("record/published_log.yml");
  const auto script = support::fixture("align/scores.yml");
  const MappedFile before(script);
  const ReadFiles outer;
  CHECK(outer.paths().empty());
  const MappedFile first(log);
  {
    const ReadFiles inner;
    const MappedFile second(script);
    const MappedFile third(log);
    CHECK(inner.paths() == Paths{script, log});
  }
  CHECK_THROWS_AS(MappedFile("no such file"), DataError);
  CHECK(outer.paths() == Paths{log, script});
}

}  // namespace
}  // namespace labelprobe::files
