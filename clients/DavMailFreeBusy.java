import davmail.exchange.ews.GetUserAvailabilityMethod;
import davmail.http.HttpClientAdapter;

/**
 * Asks a running gateway with DavMail's own request and reader, without the session it would open before, and
 * prints one line of slots for each address on each day.
 *
 * usage: java -cp /usr/share/davmail/davmail.jar DavMailFreeBusy.java URL USERNAME PASSWORD INTERVAL START END ADDRESS
 */
public class DavMailFreeBusy {
    public static void main(String[] args) throws Exception {
        HttpClientAdapter client = new HttpClientAdapter(args[0], args[1], args[2]);
        GetUserAvailabilityMethod method =
                new GetUserAvailabilityMethod(args[6], args[4], args[5], Integer.parseInt(args[3]));
        method.setServerVersion("Exchange2013_SP1");
        method.handleResponse(client.execute(method));
        method.checkSuccess();
        System.out.println("\"" + method.getMergedFreeBusy() + "\"");
        client.close();
    }
}
