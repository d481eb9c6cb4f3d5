#include "experiment/explore/joint_explorer.h"

#include <set>
#include <string>

#include "support/catch.h"
#include "support/fake_model.h"

namespace labelprobe::experiment {
namespace {

// Follows one token as often as it is told to, and notes what it is told.
class Follower final : public model::Explorer {
 public:
  Follower(TokenId token, int n) : token_(token), n_(n) {}

  void begin(std::size_t) override { told += "begin "; }
  void answer(std::size_t, const model::Generation& answer) override {
    told += "answer" + std::to_string(answer.token_ids.size()) + " ";
  }
  void reach(const model::Place& place) override {
    at_ = place.id;
    told += "reach ";
  }
  void grow(std::size_t, model::Frontier& next) override {
    if (n_-- > 0) ids.insert(next.add(at_, token_));
  }
  void finish(std::size_t, const std::optional<std::string>& failure) override {
    told += failure ? "failed" : "done";
  }

  std::string told;
  std::set<int> ids;

 private:
  TokenId token_;
  int n_;
  int at_ = -1;
};

}  // namespace

TEST_CASE("Each explorer is told of what it has asked for", "[unit]") {
  support::FakeModel model(3, [](auto, auto) { return std::vector<float>{0, 1, 2}; });
  Follower first(1, 3);
  Follower second(2, 1);
  model::ExploreOptions of_first;
  of_first.reach = {{3, 3}};
  of_first.observe.n_top_tokens = 1;
  model::ExploreOptions of_second;
  of_second.reach = {{1, 1}};
  of_second.observe.shows_logits = true;
  const std::vector<model::ExploreOptions> each = {of_first, of_second};
  model::ExploreOptions options = JointExplorer::joined(each);
  CHECK(options.reach.at(0).n_places == 4);
  CHECK(options.reach.at(0).depth == 3);
  CHECK(options.observe.n_top_tokens == 1);
  CHECK(options.observe.shows_logits);
  options.greedy.emplace();
  JointExplorer joint({&first, &second});
  const std::vector<TokenIds> prompts = {{0}};
  model.explore(prompts, options, joint);
  CHECK(first.told == "begin answer1 reach reach reach reach done");
  CHECK(second.told == "begin answer1 reach reach done");
  CHECK(first.ids.size() == 3);
  for (const int id : second.ids) CHECK_FALSE(first.ids.contains(id));
}

TEST_CASE("Each explorer is told of a failure", "[unit]") {
  support::FakeModel model(3, [](auto, auto) { return std::vector<float>{0, 1, 2}; });
  model.editable_info().max_context = 1;
  Follower first(1, 3);
  Follower second(2, 1);
  model::ExploreOptions options;
  options.reach = {{3, 3}};
  JointExplorer joint({&first, &second});
  const std::vector<TokenIds> prompts = {{0}};
  model.explore(prompts, options, joint);
  CHECK(first.told == "failed");
  CHECK(second.told == "failed");
}

}  // namespace labelprobe::experiment
