// Everything is there.
take.add();
take.addTradeOff();
if (look) look.begin();
