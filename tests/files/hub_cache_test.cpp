#include "labelprobe/files/hub_cache.h"

#include <cstdlib>

#include "labelprobe/core/error.h"

#include "support/errors.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::files {

TEST_CASE("A data set in the hub's cache is found by its revision", "[unit]") {
  const support::TempFolder cache;
  ::setenv("HF_HUB_CACHE", cache.path().c_str(), 1);
  const std::filesystem::path folder = cache.path() / "datasets--org--tweets";
  using Kind = HubRepository::Kind;
  CHECK(HubRepository(Kind::Dataset, "org/tweets").is_empty());
  CHECK(HubRepository(Kind::Dataset, "org/tweets").fetching_command("v2") ==
        "hf download --repo-type dataset org/tweets --revision v2");
  support::write_file(folder / "snapshots/abc/README.md", "");
  support::write_file(folder / "snapshots/def/README.md", "");
  const HubRepository unnamed(Kind::Dataset, "org/tweets");
  CHECK_THAT(support::message_of<DataError>([&] { unnamed.main(); }),
             ContainsSubstring("data set 'org/tweets'") && ContainsSubstring("abc, def") &&
                 ContainsSubstring("`hf download --repo-type dataset org/tweets`"));
  support::write_file(folder / "refs/main", "def\n");
  const HubRepository named(Kind::Dataset, "org/tweets");
  CHECK(named.main() == "def");
  CHECK(named.find("a") == "abc");
  CHECK(named.snapshot("def") == folder / "snapshots/def");
  CHECK(HubRepository(Kind::Model, "org/tweets").is_empty());
  ::unsetenv("HF_HUB_CACHE");
}

}  // namespace labelprobe::files
