// One server, as its threads speak to it: requests are sent at the rate that is allowed and tried
// again where that may help.
#pragma once

#include <random>
#include <string>

#include "labelprobe/files/json.h"
#include "labelprobe/server/open.h"

#include "server/gate.h"
#include "server/http.h"

namespace labelprobe::server {

// What is wrong with a reply, or why there is none.
class NoAnswer : public std::runtime_error {
 public:
  enum class Kind {
    Unreachable,  // not now: every attempt was cut, too slow or met an overloaded server
    Refused,      // the server will not answer this (status 4xx)
    Denied,       // nor anything else: the key, the path or the model's name is wrong
    Malformed,    // it is no answer as the interface has it
  };
  NoAnswer(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

// Speaks for one thread. Its options and gate must outlive it.
class Client {
 public:
  Client(const Options& options, const std::string& key, Gate& gate);

  // The JSON of a reply whose status is 200; `name` of the view is the address. Throws NoAnswer.
  files::JsonView get(const std::string& address);
  files::JsonView post(const std::string& address, const nlohmann::json& body);

 private:
  files::JsonView ask(const std::string& address, const std::string* json);
  void wait_before(int attempt, const HttpReply* reply);
  [[noreturn]] void refuse(const std::string& address, const HttpReply& reply) const;
  // Nothing that is said contains the key, whatever the server has repeated of it.
  std::string without_key(std::string text) const;

  const Options& options_;
  const std::string& key_;
  Gate& gate_;
  Connection connection_;
  std::minstd_rand jitter_{std::random_device{}()};
};

}  // namespace labelprobe::server
